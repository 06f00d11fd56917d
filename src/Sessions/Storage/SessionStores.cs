namespace LServe.Sessions;

/// <summary>Where sessions are kept, for what needs no engine: copying, moving and deleting them.</summary>
/// <param name="Pages">Null: their KV caches are kept nowhere.</param>
public sealed record SessionStores(ISessionStore Sessions, IKvPageStore? Pages, TimeProvider Time);
