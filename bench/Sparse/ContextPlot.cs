using System.Globalization;
using System.Text;

namespace LServe.Bench.Sparse;

/// <summary>Time of a step against the context, which doubles from mark to mark.</summary>
internal static class ContextPlot
{
    private const int Width = 640, Height = 360, Left = 70, Right = 30, Top = 50, Bottom = 50;
    private static readonly string[] s_colours = ["#2f6fdf", "#d9822b"];

    /// <param name="lines">Of each line its name and its points, in tokens and µs.</param>
    public static string Draw(string title, IReadOnlyList<(string Name, IReadOnlyList<(int Tokens, double Time)> Points)> lines)
    {
        var points = lines.SelectMany(line => line.Points).ToArray();
        var (first, last, most) = (Math.Log2(points.Min(p => p.Tokens)), Math.Log2(points.Max(p => p.Tokens)), points.Max(p => p.Time) * 1.1);
        double X(int tokens) => Left + (Width - Left - Right) * (last > first ? (Math.Log2(tokens) - first) / (last - first) : 0.5);
        double Y(double time) => Height - Bottom - (Height - Top - Bottom) * time / most;

        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#1c2330\">\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect width=\"{Width}\" height=\"{Height}\" fill=\"#ffffff\"/><text x=\"{Left}\" y=\"20\" font-size=\"13\">{title}</text>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{Left} {Top}V{Height - Bottom}H{Width - Right}\" fill=\"none\" stroke=\"#8a93a3\"/>\n");
        foreach (var tokens in points.Select(p => p.Tokens).Distinct())
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(tokens):F0}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{tokens / 1024}K</text>\n");
        for (var mark = 0; mark <= 4; mark++)
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8}\" y=\"{Y(most * mark / 4) + 4:F0}\" text-anchor=\"end\">{most * mark / 4:F0}</text>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Width - Right}\" y=\"{Height - 10}\" text-anchor=\"end\">tokens of context; times in µs</text>\n");
        for (var i = 0; i < lines.Count; i++)
        {
            var path = string.Join('L', lines[i].Points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.Tokens):F1} {Y(p.Time):F1}")));
            svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{path}\" fill=\"none\" stroke=\"{s_colours[i % s_colours.Length]}\" stroke-width=\"2\"/>\n");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left + 10}\" y=\"{Top - 10 + 16 * i}\" fill=\"{s_colours[i % s_colours.Length]}\">{lines[i].Name}</text>\n");
        }
        return svg.Append("</svg>\n").ToString();
    }
}
