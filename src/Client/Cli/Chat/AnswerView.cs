using System.Diagnostics;
using LServe.Cli.Terminal;
using LServe.Contracts;

namespace LServe.Cli.Chat;

/// <summary>Shows a turn while it happens: a bar for a long prompt, then the text as it comes.</summary>
internal sealed class AnswerView(Screen screen)
{
    /// <summary>Tokens: prompts up to this length are read faster than a bar is noticed.</summary>
    private const int ShortPrompt = 256;

    private bool _lineIsOpen;

    public async Task<AnswerStatistics?> ShowAsync(IAsyncEnumerable<TurnEvent> events)
    {
        using var progress = new ProgressLine("reading the prompt");
        var (sent, first, last) = (Stopwatch.GetTimestamp(), 0L, 0L);
        await foreach (var happened in events)
            switch (happened)
            {
                case PromptProgress reading when reading.Total > ShortPrompt:
                    progress.Report((float)reading.Done / reading.Total);
                    break;
                case TextDelta delta:
                    progress.Dispose();
                    last = Stopwatch.GetTimestamp();
                    if (first == 0) first = last;
                    Show(delta.Text);
                    break;
                case TurnCompleted completed:
                    EndLine();
                    if (first == 0) first = last = Stopwatch.GetTimestamp();
                    var figures = new AnswerStatistics(completed.Usage, completed.Reason, Stopwatch.GetElapsedTime(sent, first), Stopwatch.GetElapsedTime(first, last));
                    screen.Note(figures.ToString());
                    return figures;
            }
        return null;
    }

    public void EndLine()
    {
        if (_lineIsOpen) screen.WriteLine();
        _lineIsOpen = false;
    }

    private void Show(string text)
    {
        if (text.Length == 0) return;
        screen.Write(text);
        _lineIsOpen = true;
    }
}
