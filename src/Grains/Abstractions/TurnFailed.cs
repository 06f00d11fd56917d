using LServe.Contracts;

namespace LServe.Grains;

/// <summary>The last event of a turn that failed, between silo and client only: elsewhere a failure is an exception.</summary>
public sealed record TurnFailed(ErrorInfo Error) : TurnEvent;
