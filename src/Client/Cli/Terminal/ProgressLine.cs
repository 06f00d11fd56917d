namespace LServe.Cli.Terminal;

/// <summary>
/// One line on standard error that shows how far something is, redrawn in place and gone when it is done. Silent when standard error
/// is no terminal.
/// </summary>
internal sealed class ProgressLine(string label) : IProgress<float>, IDisposable
{
    private const int BarWidth = 24;

    private readonly bool _visible = !Console.IsErrorRedirected;
    private int _shown = -1;

    /// <param name="share">0 … 1.</param>
    public void Report(float share)
    {
        var percent = (int)(Math.Clamp(share, 0, 1) * 100);
        if (!_visible || percent == _shown) return;
        _shown = percent;
        var filled = percent * BarWidth / 100;
        Console.Error.Write($"\r\e[K\e[2m{label} {new string('━', filled)}{new string('─', BarWidth - filled)} {percent,3} %\e[0m");
    }

    public void Dispose()
    {
        if (_shown >= 0) Console.Error.Write("\r\e[K");
        _shown = -1;
    }
}
