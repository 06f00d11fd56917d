using System.Globalization;
using System.Text;

namespace LServe.Bench.Load;

/// <summary>Bars of both sides, each pair against its longer bar, with the ratio at the end.</summary>
internal static class BarChart
{
    private const int LabelWidth = 140, BarWidth = 420, RowHeight = 46, BarHeight = 15, Width = 760, Top = 34;
    private const string OurColour = "#2f6fdf", PeerColour = "#b9bfca";

    public static string Draw(IReadOnlyList<Comparison> comparisons)
    {
        var height = Top + RowHeight * comparisons.Count + 10;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#1c2330\">\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect width=\"{Width}\" height=\"{height}\" fill=\"#ffffff\"/>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{LabelWidth}\" y=\"10\" width=\"12\" height=\"12\" fill=\"{OurColour}\"/><text x=\"{LabelWidth + 18}\" y=\"21\">LServe.Orleans</text>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{LabelWidth + 150}\" y=\"10\" width=\"12\" height=\"12\" fill=\"{PeerColour}\"/><text x=\"{LabelWidth + 168}\" y=\"21\">llama.cpp (better of its two attentions)</text>\n");
        for (var i = 0; i < comparisons.Count; i++) Row(svg, comparisons[i], Top + i * RowHeight);
        return svg.Append("</svg>\n").ToString();
    }

    private static void Row(StringBuilder svg, Comparison comparison, int y)
    {
        var longest = Math.Max(comparison.Ours.Median, comparison.Peer?.Median ?? 0);
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{LabelWidth - 10}\" y=\"{y + 23}\" text-anchor=\"end\">{comparison.Ours.What}</text>\n");
        Bar(svg, comparison.Ours, longest, y + 3, OurColour);
        if (comparison.Peer is null) return;
        Bar(svg, comparison.Peer, longest, y + 4 + BarHeight, PeerColour);
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Width - 12}\" y=\"{y + 23}\" text-anchor=\"end\" font-weight=\"bold\">{comparison.Ratio:F2} ×</text>\n");
    }

    private static void Bar(StringBuilder svg, Figure figure, double longest, int y, string colour)
    {
        var width = BarWidth * figure.Median / longest;
        svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{LabelWidth}\" y=\"{y}\" width=\"{width:F1}\" height=\"{BarHeight}\" fill=\"{colour}\"/>");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{LabelWidth + width + 6:F1}\" y=\"{y + 12}\" font-size=\"11\">{figure.Median:F0} {figure.Unit}</text>\n");
    }
}
