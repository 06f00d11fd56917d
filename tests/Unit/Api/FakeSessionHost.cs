using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Tests.Unit.Api;

/// <summary>A host whose turns play a script, and which remembers what it was asked.</summary>
internal sealed class FakeSessionHost : ISessionHost
{
    public delegate IAsyncEnumerable<TurnEvent> TurnScript(TurnRequest request, CancellationToken cancellation);

    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TurnScript Script { get; set; } = Say("Hello", " world");

    public ConcurrentQueue<(SessionKey? Key, TurnRequest Request)> Asked { get; } = new();

    public ConcurrentDictionary<string, SessionInfo> Sessions { get; } = new();

    /// <summary>Completes when a turn's cancellation has reached this host.</summary>
    public Task Cancelled => _cancelled.Task;

    public HostStatus Status { get; set; } = new(
        "fake-model", CanChat: true, ChatProblem: null, ContextLength: 2048, Ready: true, Problem: null, Backend: "fake",
        Sessions: 2, Running: 1, Waiting: 0, PagesUsed: 3, PagesTotal: 64, PromptTokens: 120, GeneratedTokens: 45, Steps: 60,
        TokensPerSecond: 12.5);

    public IReadOnlyList<SiloReport> Reports { get; set; } = [];

    private int _reportsAsked;

    public int ReportsAsked => _reportsAsked;

    /// <summary>What asking for a list of sessions throws.</summary>
    public Exception? ListFailure { get; set; }

    public ValueTask<IReadOnlyList<SiloReport>> ReportAsync(CancellationToken cancellation = default)
    {
        Interlocked.Increment(ref _reportsAsked);
        return new(Reports);
    }

    public IAsyncEnumerable<TurnEvent> SendAsync(SessionKey key, TurnRequest request, CancellationToken cancellation = default) =>
        PlayAsync(key, request, cancellation);

    public IAsyncEnumerable<TurnEvent> RunAsync(string tenant, TurnRequest request, CancellationToken cancellation = default) =>
        PlayAsync(null, request, cancellation);

    public ValueTask<SessionInfo?> GetAsync(SessionKey key, CancellationToken cancellation = default) =>
        new(Sessions.GetValueOrDefault(key.Session));

    public ValueTask<IReadOnlyList<SessionInfo>> ListAsync(string tenant, int limit = 100, CancellationToken cancellation = default) =>
        ListFailure is { } failure ? throw failure : new([.. Sessions.Values.OrderByDescending(session => session.LastUsed).Take(limit)]);

    public ValueTask<bool> CancelAsync(SessionKey key, CancellationToken cancellation = default) =>
        new(Sessions.TryGetValue(key.Session, out var session) && session.State == "running");

    public ValueTask<bool> ReleaseAsync(SessionKey key, CancellationToken cancellation = default) => new(Sessions.ContainsKey(key.Session));

    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellation = default) => new(Sessions.TryRemove(key.Session, out _));

    public ValueTask<string?> MigrateAsync(SessionKey key, string? silo = null, CancellationToken cancellation = default) =>
        new(Sessions.ContainsKey(key.Session) ? silo ?? "the roomiest" : null);

    public ValueTask<SessionInfo?> RewindAsync(SessionKey key, int turn, CancellationToken cancellation = default) =>
        new(Sessions.TryGetValue(key.Session, out var session) ? session with { Turns = turn } : null);

    public ValueTask<SessionInfo?> ForkAsync(SessionKey key, SessionKey to, int? turn = null, AttentionKind? attention = null, CancellationToken cancellation = default) =>
        new(Sessions.TryGetValue(key.Session, out var session) ? session with { Id = to.Session, Turns = turn ?? session.Turns } : null);

    public async ValueTask<bool> ExportAsync(SessionKey key, bool withPages, Stream to, CancellationToken cancellation = default)
    {
        if (!Sessions.ContainsKey(key.Session)) return false;
        await to.WriteAsync(System.Text.Encoding.UTF8.GetBytes($"{key.Session} {withPages}"), cancellation);
        return true;
    }

    public async ValueTask<SessionInfo> ImportAsync(string tenant, string? name, Stream from, CancellationToken cancellation = default)
    {
        var text = await new StreamReader(from).ReadToEndAsync(cancellation);
        return new(tenant, name ?? "named-in-the-file", "fake-model", text.Length, 0, 1, "cold", default, default, null, []);
    }

    /// <summary>A turn that answers with <paramref name="texts"/>, one token each.</summary>
    public static TurnScript Say(params string[] texts) => SayThen(FinishReason.Stop, texts);

    public static TurnScript SayThen(FinishReason reason, params string[] texts)
    {
        return Play;

        async IAsyncEnumerable<TurnEvent> Play(TurnRequest request, [EnumeratorCancellation] CancellationToken cancellation)
        {
            await Task.Yield();
            yield return new TurnStarted(request.TurnId ?? "turn-1", 10, 4, Repeated: false);
            yield return new PromptProgress(3, 6);
            foreach (var text in texts)
                yield return new TextDelta(text, 1, request.Sampling.Logprobs ? [LogprobOf(text)] : null);
            yield return new TurnCompleted(reason, new TurnUsage(10, texts.Length, 4, 10 + texts.Length));
        }
    }

    /// <summary>A turn that fails before its first event.</summary>
    public static TurnScript Fail(Exception failure) => (_, _) => throw failure;

    /// <summary>A turn that says something and then fails.</summary>
    public static TurnScript SayAndFail(string text, Exception failure)
    {
        return Play;

        async IAsyncEnumerable<TurnEvent> Play(TurnRequest request, [EnumeratorCancellation] CancellationToken cancellation)
        {
            await Task.Yield();
            yield return new TurnStarted("turn-1", 10, 4, Repeated: false);
            yield return new TextDelta(text, 1);
            throw failure;
        }
    }

    /// <summary>A turn that says something and then waits to be cancelled.</summary>
    public TurnScript SayAndHang(string text)
    {
        return Play;

        async IAsyncEnumerable<TurnEvent> Play(TurnRequest request, [EnumeratorCancellation] CancellationToken cancellation)
        {
            yield return new TurnStarted("turn-1", 10, 4, Repeated: false);
            yield return new TextDelta(text, 1);
            using var registration = cancellation.Register(_cancelled.SetResult);
            await Task.Delay(Timeout.Infinite, cancellation);
        }
    }

    private static TokenLogprob LogprobOf(string text)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        return new(7, text, bytes, -0.25f, [new(7, text, bytes, -0.25f), new(8, "\uFFFD", [0xE2, 0x80], -1.5f)]);
    }

    private IAsyncEnumerable<TurnEvent> PlayAsync(SessionKey? key, TurnRequest request, CancellationToken cancellation)
    {
        Asked.Enqueue((key, request));
        return Script(request, cancellation);
    }
}
