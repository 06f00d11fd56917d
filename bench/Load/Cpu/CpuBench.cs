namespace LServe.Bench.Load;

/// <summary>Turns of both sides, then the table, the JSON file and the plot.</summary>
internal static class CpuBench
{
    /// <summary>llama.cpp's attention with and without --flash; the better of each figure is quoted.</summary>
    private static readonly int[] Flash = [0, 1];

    public static async Task RunAsync(CpuBenchOptions options)
    {
        var ours = new List<Figure>();
        var peers = Flash.Select(_ => new List<Figure>()).ToArray();
        for (var round = 1; round <= options.Rounds; round++)
        {
            Console.WriteLine($"round {round} of {options.Rounds}");
            ours.AddRange(await new EngineSide(options).MeasureAsync());
            if (options.Peer is null) continue;
            foreach (var flash in Flash) peers[flash].AddRange(await new PeerSide(options).MeasureAsync(flash));
        }
        var comparisons = Figure.Join(ours).Select(figure => Compare(figure, peers)).ToArray();
        foreach (var c in comparisons) Console.WriteLine(c);
        CpuBenchReport.Write(options, comparisons);
    }

    private static Comparison Compare(Figure ours, List<Figure>[] peers)
    {
        var candidates = peers.SelectMany((figures, flash) => Figure.Join(figures).Where(f => f.What == ours.What).Select(f => (Figure: f, Flash: flash))).ToArray();
        if (candidates.Length == 0) return new(ours, null, null);
        var best = candidates.Aggregate((a, b) => ReferenceEquals(Figure.Better(a.Figure, b.Figure), a.Figure) ? a : b);
        return new(ours, best.Figure, best.Flash);
    }
}

/// <param name="Flash">The setting of llama.cpp that <paramref name="Peer"/> was reached with.</param>
internal sealed record Comparison(Figure Ours, Figure? Peer, int? Flash)
{
    public double? Ratio => Peer is null ? null : Ours.RatioTo(Peer);

    public override string ToString() =>
        $"{Ours.What,-16} {Ours.Median,9:F1} {Ours.Unit,-8}" + (Peer is null ? "" : $" llama.cpp {Peer.Median,9:F1} (flash {Flash})  {Ratio:F2} ×");
}
