using LServe.Contracts;
using LServe.Sessions;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace LServe.Grains;

/// <summary>
/// Chooses the silo of a session that is on none: the one that is asked for (as a migration does), else one whose own store has it,
/// else the roomiest. While a silo of the session's content is there, no other one is taken, and none that is leaving.
/// </summary>
internal sealed class SessionPlacementDirector(CapacityBoard board, SessionEnvironment environment) : IPlacementDirector
{
    public async Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var compatible = context.GetCompatibleSilos(target);
        var chosen = IPlacementDirector.GetPlacementHint(target.RequestContextData, compatible) ?? await ChooseAsync(target.GrainIdentity.Key.ToString()!, compatible);
        board.NotePlacement(chosen);
        return chosen;
    }

    private async Task<SiloAddress> ChooseAsync(string session, SiloAddress[] compatible)
    {
        if (!environment.SharedStores && await HolderAsync(session, compatible) is { } holder) return holder;
        var known = board.Of(compatible);
        var staying = known.Where(silo => !silo.Report.Draining).ToList();
        if (staying.Count == 0) return Anyone(compatible, known);
        var fitting = await OfContentAsync(session, staying);
        return SiloChoice.Roomiest(fitting)?.Address ?? throw Full(fitting.Count);
    }

    /// <summary>To callers a failure of the cluster, which they may retry.</summary>
    private static OrleansException Full(int silos) => new($"Turns in progress need the KV pages of all {silos} silos, so that no session is begun or woken now.");

    /// <summary>Before the first report has come, or when all leave: chance does as well.</summary>
    private static SiloAddress Anyone(SiloAddress[] compatible, IReadOnlyList<SiloView> leaving)
    {
        var others = compatible.Except(leaving.Select(silo => silo.Address)).ToArray();
        var from = others.Length > 0 ? others : compatible;
        return from[Random.Shared.Next(from.Length)];
    }

    /// <summary>The silo whose own store has the session, where each has a store of its own.</summary>
    private async Task<SiloAddress?> HolderAsync(string session, SiloAddress[] compatible)
    {
        if (compatible.Length < 2) return null;
        var holds = await Task.WhenAll(compatible.Select(silo => board.HoldsAsync(silo, session)));
        return compatible.Where((_, i) => holds[i]).FirstOrDefault();
    }

    /// <summary>Silos whose pages mean the same as the session's; a session that is new is of the content of the silo that was asked for it.</summary>
    private async Task<IReadOnlyList<SiloView>> OfContentAsync(string session, IReadOnlyList<SiloView> silos)
    {
        if (silos.Select(silo => silo.Report.Content).Distinct().Count() < 2) return silos;
        var content = (await LoadAsync(SessionKey.Parse(session)))?.Snapshot.Fingerprint?.Content ?? environment.Fingerprint?.Content;
        var same = silos.Where(silo => silo.Report.Content == content).ToList();
        return same.Count > 0 ? same : silos;
    }

    private async Task<StoredSession?> LoadAsync(SessionKey key)
    {
        try
        {
            return await environment.Store.LoadAsync(key);
        }
        catch (SessionStoreException)
        {
            // Wherever it goes, it says so there.
            return null;
        }
    }
}
