namespace LServe.Silo;

/// <summary>Shows on a terminal how much of the model is loaded, once loading has taken long enough to be noticed.</summary>
internal sealed class LoadingBar : IProgress<float>
{
    private const int Width = 30;
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(300);
    private readonly long _begin = TimeProvider.System.GetTimestamp();
    private int _shown = -1;

    /// <summary>A bar, or null where nobody watches.</summary>
    public static LoadingBar? ForTerminal() => Console.IsErrorRedirected ? null : new LoadingBar();

    public void Report(float share)
    {
        var percent = (int)(100 * share);
        if (percent == _shown || TimeProvider.System.GetElapsedTime(_begin) < s_patience)
            return;
        _shown = percent;
        var filled = Width * percent / 100;
        Console.Error.Write($"\rLoading the model [{new string('#', filled)}{new string(' ', Width - filled)}] {percent,3} %");
        if (percent >= 100)
            Console.Error.Write($"\r{new string(' ', Width + 27)}\r");
    }
}
