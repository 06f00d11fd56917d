using LServe.Contracts;

namespace LServe.Grains;

/// <summary>A session grain's answer to anything but a turn.</summary>
/// <param name="Done">Whether there was something to do, and it was done.</param>
/// <param name="Session">With <see cref="ISessionGrain.GetAsync"/>: what is kept, or null.</param>
/// <param name="Error">What went wrong, or null.</param>
[GenerateSerializer, Immutable, Alias("lserve.SessionReply")]
public sealed record SessionReply(
    [property: Id(0)] bool Done, [property: Id(1)] SessionInfo? Session = null, [property: Id(2)] ErrorInfo? Error = null);

/// <summary>Where a session is, or is going.</summary>
/// <param name="Silo">Name of the silo.</param>
[GenerateSerializer, Immutable, Alias("lserve.SessionPlaceReply")]
public sealed record SessionPlaceReply([property: Id(0)] string? Silo, [property: Id(1)] ErrorInfo? Error = null);

/// <summary>A tenant's sessions, or what went wrong.</summary>
[GenerateSerializer, Immutable, Alias("lserve.SessionListReply")]
public sealed record SessionListReply([property: Id(0)] SessionInfo[] Sessions, [property: Id(1)] ErrorInfo? Error = null);
