using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>
/// Notes every so many tokens how far an answer is, so that a kill leaves what was said. Never holds the answer up: while one note is on
/// its way to the disk, none is begun.
/// </summary>
internal sealed class AnswerCheckpoints(SessionKey key, SessionEnvironment environment, string turnId)
{
    private Task _noting = Task.CompletedTask;
    private int _noted;

    /// <summary>Says that the answer has so many tokens now.</summary>
    /// <param name="text">What was sent of it.</param>
    public void Pass(int tokens, Func<string> text)
    {
        if (environment.CheckpointEvery == 0 || tokens - _noted < environment.CheckpointEvery || !_noting.IsCompleted) return;
        _noted = tokens;
        _noting = NoteAsync(new(turnId, text(), tokens));
    }

    /// <summary>Waits for the last note, which a commit must not be overtaken by.</summary>
    public Task EndAsync() => _noting;

    /// <summary>Forgets what was noted: the turn failed, and its client knows.</summary>
    public async Task ForgetAsync()
    {
        await _noting;
        if (_noted > 0) await NoteAsync(null);
    }

    private async Task NoteAsync(InterruptedAnswer? answer)
    {
        try
        {
            await environment.Store.NoteAsync(key, answer);
        }
        catch (SessionStoreException)
        {
            // The turn goes on without.
        }
    }
}
