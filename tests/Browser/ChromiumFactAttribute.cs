namespace LServe.Tests.Browser;

/// <summary>Skips where there is no Chromium to drive.</summary>
internal sealed class ChromiumFactAttribute : FactAttribute
{
    public const string Executable = "/usr/bin/chromium";

    public ChromiumFactAttribute()
    {
        if (!File.Exists(Executable))
            Skip = $"There is no {Executable}: install the package chromium.";
    }
}
