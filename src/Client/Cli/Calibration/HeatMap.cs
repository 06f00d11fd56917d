using System.Globalization;
using System.Text;
using LServe.Model;

namespace LServe.Cli.Calibration;

/// <summary>The gates as a picture (SVG): a column per layer, a row per KV head; the darker, the more a head needs all tokens; streaming heads are framed.</summary>
internal static class HeatMap
{
    private const int Cell = 22, Left = 70, Top = 40, Bottom = 30;

    /// <param name="losses">[layer][KV head], shown when pointed at.</param>
    /// <param name="method">What losses are by.</param>
    public static string Draw(string model, HeadPattern pattern, double[][] losses, string method)
    {
        var (width, height) = (Left + Cell * pattern.Layers + 20, Top + Cell * pattern.KvHeads + Bottom);
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"11\" fill=\"#1c2330\">\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n");
        svg.Append(CultureInfo.InvariantCulture,
            $"<text x=\"{Left}\" y=\"22\" font-size=\"13\">{System.Security.SecurityElement.Escape(model)}: gates by {method}; framed heads stream at share {pattern.Share}</text>\n");
        for (var head = 0; head < pattern.KvHeads; head++)
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8}\" y=\"{Top + head * Cell + 15}\" text-anchor=\"end\">KV head {head}</text>\n");
        var streams = pattern.Streams();
        for (var layer = 0; layer < pattern.Layers; layer++)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left + layer * Cell + Cell / 2}\" y=\"{height - 12}\" text-anchor=\"middle\">{layer}</text>\n");
            for (var head = 0; head < pattern.KvHeads; head++) Draw(svg, layer, head, pattern.Gates[layer][head], losses[layer][head], streams[layer][head]);
        }
        return svg.Append("</svg>\n").ToString();
    }

    private static void Draw(StringBuilder svg, int layer, int head, float gate, double loss, bool streams)
    {
        var (red, green, blue) = (Blend(245, 24), Blend(247, 70), Blend(250, 160));
        var frame = streams ? " stroke=\"#e07b00\" stroke-width=\"2\"" : "";
        svg.Append(CultureInfo.InvariantCulture,
            $"<rect x=\"{Left + layer * Cell + 1}\" y=\"{Top + head * Cell + 1}\" width=\"{Cell - 3}\" height=\"{Cell - 3}\" fill=\"rgb({red},{green},{blue})\"{frame}>" +
            $"<title>layer {layer}, KV head {head}: gate {gate:F3}, loss {loss:G4}</title></rect>\n");

        int Blend(int light, int dark) => (int)Math.Round(light + (dark - light) * Math.Clamp(gate, 0f, 1f));
    }
}
