using LServe.Client;
using LServe.Contracts;
using LServe.Sessions;
using LServe.Stores.Local;

namespace LServe.Cli.Sessions;

/// <summary>The sessions of a folder that no server has, read and changed by this process; needs no model.</summary>
internal sealed class StoredSessions(LocalStore store) : ISessionArchive, IDisposable
{
    private readonly SessionStores _stores = new(store.Sessions, store.Pages, TimeProvider.System);

    public Task<SessionInfo?> GetAsync(string sessionId, CancellationToken cancellation = default) =>
        TranslateAsync(() => Session.DescribeAsync(store.Sessions, Key(sessionId), cancellation).AsTask());

    public Task<IReadOnlyList<SessionInfo>> ListAsync(int limit = 100, CancellationToken cancellation = default) => TranslateAsync<IReadOnlyList<SessionInfo>>(async () =>
        [.. (await store.Sessions.ListAsync(SessionKey.DefaultTenant, limit, cancellation)).Select(Session.Describe)]);

    public Task<bool> DeleteAsync(string sessionId, CancellationToken cancellation = default) =>
        TranslateAsync(() => SessionDeletion.RunAsync(_stores, Key(sessionId), cancellation));

    public Task<SessionInfo?> RewindAsync(string sessionId, int turn, CancellationToken cancellation = default) => TranslateAsync(async () =>
    {
        if (await store.Sessions.RewindAsync(Key(sessionId), turn, null, cancellation) is { } rewound) return Session.Describe(rewound.Snapshot);
        return await store.Sessions.LoadAsync(Key(sessionId), cancellation) is { } kept ? throw SessionFork.NoSuchTurn(kept.Snapshot, turn) : (SessionInfo?)null;
    });

    public Task<SessionInfo?> ForkAsync(string sessionId, string to, int? turn = null, AttentionKind? attention = null, CancellationToken cancellation = default) =>
        TranslateAsync(() => SessionFork.RunAsync(_stores, Key(sessionId), Key(to), turn, attention, cancellation));

    public Task<bool> ExportAsync(string sessionId, bool withPages, Stream to, CancellationToken cancellation = default) =>
        TranslateAsync(() => SessionExport.RunAsync(_stores, Key(sessionId), withPages, to, cancellation));

    public Task<SessionInfo> ImportAsync(string? sessionId, Stream from, CancellationToken cancellation = default) =>
        TranslateAsync(() => SessionImport.RunAsync(_stores, SessionKey.DefaultTenant, sessionId, from, cancellation));

    public void Dispose() => store.Dispose();

    private static async Task<T> TranslateAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (SessionStoreException problem)
        {
            throw problem.ToPublic();
        }
    }

    private static SessionKey Key(string sessionId) => new(SessionKey.DefaultTenant, sessionId);
}
