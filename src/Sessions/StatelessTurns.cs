using System.Runtime.CompilerServices;
using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>Turns that keep nothing, on this process's engine. Thread-safe.</summary>
/// <param name="maxTurns">Turns: most at once; past it the answer is 503.</param>
public sealed class StatelessTurns(SessionEnvironment environment, int maxTurns = StatelessTurns.DefaultMaxTurns)
{
    public const int DefaultMaxTurns = 256;

    private int _running;

    /// <inheritdoc cref="ISessionHost.RunAsync"/>
    public async IAsyncEnumerable<TurnEvent> RunAsync(
        string tenant, TurnRequest request, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var session = new Session(new SessionKey(tenant, "stateless"), environment, keeps: false);
        Enter();
        try
        {
            await foreach (var next in session.SendAsync(request, cancellation)) yield return next;
        }
        finally
        {
            await session.CloseAsync();
            Interlocked.Decrement(ref _running);
        }
    }

    private void Enter()
    {
        if (Interlocked.Increment(ref _running) <= maxTurns) return;
        Interlocked.Decrement(ref _running);
        throw LServeException.Overloaded($"{maxTurns} stateless turns are running, which is this server's limit. Try again shortly.");
    }
}
