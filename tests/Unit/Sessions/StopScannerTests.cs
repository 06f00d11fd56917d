using FsCheck;
using FsCheck.Fluent;
using LServe.Sessions;

namespace LServe.Tests.Unit.Sessions;

public sealed class StopScannerTests
{
    [Fact]
    public void HoldsBackWhatMayBecomeAStopString()
    {
        var scanner = new StopScanner(["END", "##"]);
        Assert.Equal("abc", scanner.Append("abcE"));
        Assert.Equal("EN", scanner.Append("NE"));
        Assert.Equal("", scanner.Append("N"));
        Assert.Equal("", scanner.Append("D and more"));
        Assert.True(scanner.Stopped);
    }

    [Fact]
    public void GivesOutTheRestWhenTheTextEnds()
    {
        var scanner = new StopScanner(["END"]);
        Assert.Equal("x", scanner.Append("xEN"));
        Assert.Equal("EN", scanner.Flush());
        Assert.False(scanner.Stopped);
    }

    /// <summary>However a text arrives, what is given out is the text before the earliest stop string.</summary>
    [Fact]
    public void EverySplitGivesTheTextBeforeTheEarliestStop()
    {
        var letters = Gen.Elements('a', 'b', 'c');
        var pieces = letters.ListOf().Select(l => string.Concat(l)).ListOf();
        var stops = letters.NonEmptyListOf().Select(l => string.Concat(l.Take(4))).NonEmptyListOf();
        Prop.ForAll(pieces.Zip(stops, (p, s) => (Pieces: p, Stops: s)).ToArbitrary(), c =>
        {
            var scanner = new StopScanner([.. c.Stops]);
            var given = "";
            foreach (var piece in c.Pieces)
            {
                given += scanner.Append(piece);
                if (scanner.Stopped) break;
            }
            if (!scanner.Stopped) given += scanner.Flush();
            var text = string.Concat(c.Pieces);
            // Text is searched as it arrives: of two overlapping stop strings the one that is complete first ends the answer.
            var end = Enumerable.Range(0, text.Length + 1).FirstOrDefault(e => c.Stops.Any(s => text.AsSpan(0, e).EndsWith(s)), -1);
            return end < 0 ? given == text && !scanner.Stopped : scanner.Stopped && c.Stops.Any(s => text.StartsWith(given + s));
        }).QuickCheckThrowOnFailure();
    }
}
