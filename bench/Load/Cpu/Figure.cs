namespace LServe.Bench.Load;

/// <summary>One measured quantity: all its values, in the order they were taken.</summary>
/// <param name="What">Such as <c>decode at 128</c>; the same name on both sides.</param>
/// <param name="Unit"><c>tokens/s</c> (more is better) or <c>ms</c> (less is).</param>
internal sealed record Figure(string What, string Unit, IReadOnlyList<double> Values)
{
    public double Median
    {
        get
        {
            var sorted = Values.Order().ToArray();
            return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
        }
    }

    public double Lowest => Values.Min();
    public double Highest => Values.Max();

    /// <summary>Whether less is better.</summary>
    public bool IsTime => Unit == "ms";

    /// <summary>How many times better this median is than <paramref name="other"/>'s.</summary>
    public double RatioTo(Figure other) => IsTime ? other.Median / Median : Median / other.Median;

    /// <summary>Joins the figures of several turns by name.</summary>
    public static IReadOnlyList<Figure> Join(IEnumerable<Figure> figures) =>
        [.. figures.GroupBy(f => f.What).Select(g => new Figure(g.Key, g.First().Unit, [.. g.SelectMany(f => f.Values)]))];

    /// <summary>The better of two measurements of the same thing, by medians.</summary>
    public static Figure Better(Figure a, Figure b) => a.RatioTo(b) >= 1 ? a : b;
}
