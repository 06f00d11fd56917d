namespace LServe.Cli.Terminal;

/// <summary>What Ctrl-C means: while an answer runs it stops the answer; at the prompt the second press in a row leaves.</summary>
internal sealed class Interrupts : IDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _leave = new();
    private readonly Action _hint;
    private CancellationTokenSource? _answer;
    private int _pressesAtPrompt;

    /// <param name="hint">Called on the first press at the prompt.</param>
    public Interrupts(Action hint) => _hint = hint;

    /// <summary>Cancelled when the person wants to leave.</summary>
    public CancellationToken Leave => _leave.Token;

    public void Listen() => Console.CancelKeyPress += OnKey;

    /// <summary>From now until <see cref="EndAnswer"/> a press cancels the result.</summary>
    public CancellationTokenSource BeginAnswer()
    {
        lock (_lock)
        {
            _pressesAtPrompt = 0;
            return _answer = new CancellationTokenSource();
        }
    }

    public void EndAnswer()
    {
        lock (_lock)
        {
            _answer?.Dispose();
            _answer = null;
        }
    }

    public void Press()
    {
        lock (_lock)
        {
            if (_answer is not null) _answer.Cancel();
            else if (++_pressesAtPrompt == 1) _hint();
            else _leave.Cancel();
        }
    }

    public void Dispose()
    {
        Console.CancelKeyPress -= OnKey;
        EndAnswer();
        _leave.Dispose();
    }

    private void OnKey(object? sender, ConsoleCancelEventArgs press)
    {
        press.Cancel = true;
        Press();
    }
}
