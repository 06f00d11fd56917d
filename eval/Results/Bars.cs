using System.Globalization;
using System.Text;

namespace LServe.Eval;

/// <summary>One bar per row, from <c>from</c> to 1.</summary>
internal static class Bars
{
    private const int LabelWidth = 210, BarWidth = 440, RowHeight = 22, Width = 740, Top = 40;

    public static string Draw(string title, IReadOnlyList<(string Name, double Value)> rows, double from)
    {
        var height = Top + RowHeight * rows.Count + 14;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#1c2330\">\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect width=\"{Width}\" height=\"{height}\" fill=\"#ffffff\"/>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{LabelWidth}\" y=\"22\" font-size=\"13\">{title}; bars begin at {from}</text>\n");
        for (var i = 0; i < rows.Count; i++)
        {
            var (y, width) = (Top + i * RowHeight, BarWidth * Math.Clamp((rows[i].Value - from) / (1 - from), 0, 1));
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{LabelWidth - 8}\" y=\"{y + 13}\" text-anchor=\"end\">{rows[i].Name}</text>");
            svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{LabelWidth}\" y=\"{y}\" width=\"{width:F1}\" height=\"16\" fill=\"#2f6fdf\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{LabelWidth + width + 6:F1}\" y=\"{y + 13}\" font-size=\"11\">{rows[i].Value:F3}</text>\n");
        }
        return svg.Append("</svg>\n").ToString();
    }
}
