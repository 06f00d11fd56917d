namespace LServe.Eval;

/// <summary>How far something is: a line redrawn in place on a terminal, else a line of its own for every tenth.</summary>
internal sealed class ProgressLine(string label) : IProgress<float>
{
    private const int BarWidth = 24;
    private int _shown = -1;

    public void Report(float value)
    {
        var percent = (int)(Math.Clamp(value, 0, 1) * 100);
        if (Console.IsErrorRedirected) percent = percent / 10 * 10;
        if (percent == _shown) return;
        _shown = percent;
        var filled = percent * BarWidth / 100;
        var line = $"{label} {new string('━', filled)}{new string('─', BarWidth - filled)} {percent,3} %";
        if (Console.IsErrorRedirected) Console.Error.WriteLine(line);
        else Console.Error.Write($"\r\e[K{line}{(percent == 100 ? "\n" : "")}");
    }
}
