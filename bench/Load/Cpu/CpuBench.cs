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
        IReadOnlyList<Figure> plain = [];
        var server = options.Starts > 0 ? await new ServerSide(options).MeasureAsync() : null;
        for (var round = 1; round <= options.Rounds; round++)
        {
            Console.WriteLine($"round {round} of {options.Rounds}");
            ours.AddRange(await new EngineSide(options).MeasureAsync(round));
            if (options.Peer is null) continue;
            foreach (var flash in Flash) peers[flash].AddRange(await new PeerSide(options).MeasureAsync(flash, round));
            if (options.Plain && round == 1) plain = await new PeerSide(options).MeasurePlainAsync();
        }
        var comparisons = Figure.Join(ours).Select(figure => Compare(figure, peers, plain)).ToArray();
        foreach (var c in comparisons) Console.WriteLine(c);
        CpuBenchReport.Write(options, comparisons, server);
    }

    private static Comparison Compare(Figure ours, List<Figure>[] peers, IReadOnlyList<Figure> plain)
    {
        var slow = plain.FirstOrDefault(f => f.What == ours.What);
        var candidates = peers.SelectMany((figures, flash) => Figure.Join(figures).Where(f => f.What == ours.What).Select(f => (Figure: f, Flash: flash))).ToArray();
        if (candidates.Length == 0) return new(ours, null, null, slow);
        var best = candidates.Aggregate((a, b) => ReferenceEquals(Figure.Better(a.Figure, b.Figure), a.Figure) ? a : b);
        return new(ours, best.Figure, best.Flash, slow);
    }
}

/// <param name="Flash">The setting of llama.cpp that <paramref name="Peer"/> was reached with.</param>
/// <param name="Plain">llama.cpp without its repacked weights, where that was asked for.</param>
internal sealed record Comparison(Figure Ours, Figure? Peer, int? Flash, Figure? Plain)
{
    public double? Ratio => Peer is null ? null : Ours.RatioTo(Peer);

    public override string ToString() =>
        $"{Ours.What,-16} {Ours.Median,9:F1} {Ours.Unit,-8}" + (Peer is null ? "" : $" llama.cpp {Peer.Median,9:F1} (flash {Flash})  {Ratio:F2} ×")
        + (Plain is null ? "" : $"  plain {Plain.Median,9:F1}  {Ours.RatioTo(Plain):F2} ×");
}
