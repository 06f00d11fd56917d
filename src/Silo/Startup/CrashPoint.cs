using System.Diagnostics;
using System.Globalization;

namespace LServe.Silo;

/// <summary>Ends this process, as a power switch would, when a point was passed often enough.</summary>
internal sealed class CrashPoint(string point, int times)
{
    private int _passed;

    /// <exception cref="StartException">The text isn't <c>POINT:TIMES</c>.</exception>
    public static CrashPoint Parse(string text) =>
        text.Split(':') is [{ Length: > 0 } point, var times] && int.TryParse(times, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0
            ? new(point, count)
            : throw new StartException($"'{text}' is no point to crash at; write POINT:TIMES.");

    public void Pass(string passed)
    {
        if (passed == point && Interlocked.Increment(ref _passed) == times) Process.GetCurrentProcess().Kill();
    }
}
