using System.Runtime.CompilerServices;
using LServe.Client;
using LServe.Contracts;

namespace LServe.Tests.Unit.Client;

/// <summary>A server that echoes.</summary>
internal sealed class ScriptedClient : ISessionClient
{
    public List<string> Calls { get; } = [];
    public List<string> Sessions { get; } = [];
    public bool Exists { get; set; }
    public string? FailOn { get; init; }
    public Action<string>? BeforeLastDelta { get; init; }

    public async IAsyncEnumerable<TurnEvent> SendAsync(string sessionId, TurnRequest request, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var text = request.Messages![^1].Content;
        Calls.Add("send " + string.Join('|', request.Messages.Select(message => message.Content)));
        Sessions.Add(sessionId);
        await Task.Yield();
        if (text == FailOn) throw LServeException.Overloaded("full");
        yield return new TurnStarted("t", 10, 4, false);
        yield return new PromptProgress(5, 6);
        yield return new TextDelta("echo ", 1);
        BeforeLastDelta?.Invoke(text);
        cancellation.ThrowIfCancellationRequested();
        yield return new TextDelta(text, 1);
        yield return new TurnCompleted(FinishReason.Stop, new(10, 2, 4, 12));
    }

    public Task<SessionInfo?> GetAsync(string sessionId, CancellationToken cancellation = default) =>
        Task.FromResult(Exists ? new SessionInfo("default", sessionId, "m", 40, 30, 3, "idle", default, default, null, []) : null);

    public Task<IReadOnlyList<SessionInfo>> ListAsync(int limit = 100, CancellationToken cancellation = default) => Task.FromResult<IReadOnlyList<SessionInfo>>([]);

    public Task<bool> CancelAsync(string sessionId, CancellationToken cancellation = default) => Task.FromResult(false);

    public Task<bool> ReleaseAsync(string sessionId, CancellationToken cancellation = default) => Task.FromResult(false);

    public Task<string?> MigrateAsync(string sessionId, string? silo = null, CancellationToken cancellation = default) => Task.FromResult<string?>(null);

    public Task<bool> DeleteAsync(string sessionId, CancellationToken cancellation = default)
    {
        Calls.Add("delete");
        return Task.FromResult(true);
    }

    public Task<SessionInfo?> RewindAsync(string sessionId, int turn, CancellationToken cancellation = default) => Task.FromResult<SessionInfo?>(null);

    public Task<SessionInfo?> ForkAsync(string sessionId, string to, int? turn = null, AttentionKind? attention = null, CancellationToken cancellation = default) =>
        Task.FromResult<SessionInfo?>(null);
}
