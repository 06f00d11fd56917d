using Orleans.Placement;
using Orleans.Runtime;

namespace LServe.Grains;

/// <summary>Sessions go where their pages are or fit best, see <see cref="SessionPlacementDirector"/>.</summary>
[Serializable, GenerateSerializer, Immutable, SuppressReferenceTracking]
internal sealed class SessionPlacement : PlacementStrategy
{
    public static SessionPlacement Instance { get; } = new();
}

[AttributeUsage(AttributeTargets.Class)]
internal sealed class SessionPlacementAttribute() : PlacementAttribute(SessionPlacement.Instance);
