namespace LServe.Cli.Terminal;

/// <summary>
/// Reads what a person types. Lines that arrive together, as pasted text does, are one message; from a pipe every line is one.
/// </summary>
/// <param name="joins">Whether the input is a terminal.</param>
/// <param name="moreIsWaiting">Whether something was typed or pasted that isn't read yet.</param>
internal sealed class LineReader(TextReader input, bool joins, Func<bool> moreIsWaiting)
{
    /// <summary>Pasted lines follow one another faster than anybody types.</summary>
    private static readonly TimeSpan PasteGap = TimeSpan.FromMilliseconds(30);

    /// <summary>A read of a console can't be cancelled: one that was given up is taken by the next caller.</summary>
    private Task<string?>? _reading;

    public static LineReader OfConsole() => new(Console.In, joins: !Console.IsInputRedirected, () => Console.KeyAvailable);

    /// <summary>The next message, or null at the end of the input.</summary>
    public async Task<string?> ReadAsync(CancellationToken cancellation)
    {
        if (await ReadLineAsync(cancellation) is not { } message) return null;
        while (await ArrivesSoonAsync(cancellation) && await ReadLineAsync(cancellation) is { } line)
            message += "\n" + line;
        return message;
    }

    private async Task<string?> ReadLineAsync(CancellationToken cancellation)
    {
        _reading ??= Task.Run(input.ReadLine, CancellationToken.None);
        var line = await _reading.WaitAsync(cancellation);
        _reading = null;
        return line;
    }

    private async Task<bool> ArrivesSoonAsync(CancellationToken cancellation)
    {
        if (!joins) return false;
        await Task.Delay(PasteGap, cancellation);
        return moreIsWaiting();
    }
}
