using System.Globalization;
using System.Text;

namespace LServe.Eval;

/// <summary>The rows as a table to read (Markdown), and as bars (SVG).</summary>
internal static class DivergenceReport
{
    public static void Write(string folder, IReadOnlyList<DivergenceRow> rows)
    {
        var text = new StringBuilder("# Divergence from dense attention\n\n");
        text.Append("Decode steps over long texts, compared with dense attention in f16 at the same positions. Made by `./lserve eval divergence`; what on, and when: [divergence.json](divergence.json).\n\n");
        text.Append("![Top-1 agreement of every row](divergence.svg)\n\n");
        text.Append("Error: ‖output − exact output‖ / ‖exact output‖ of a layer's attention on equal input. Mass: share of the exact softmax on tokens that were read, by all heads and by retrieval heads (–: not measured).\n\n");
        text.Append("| row | setting | positions | top-1 = dense | KL, nats | NLL − dense, nats | error | mass | of retrieval heads |\n|---|---|---|---|---|---|---|---|---|\n");
        foreach (var row in rows)
            text.Append(CultureInfo.InvariantCulture, $"| {row.Name} | {row.Setting} | {row.Positions} | {row.Top1:F4} | {row.Divergence:F5} | {row.LossDifference:F5} | {Shown(row.OutputError)} | {Shown(row.Mass)} | {Shown(row.RetrievalMass)} |\n");
        File.WriteAllText(Path.Combine(folder, "divergence.md"), text.ToString());
        File.WriteAllText(Path.Combine(folder, "divergence.svg"), Bars.Draw("top-1 agreement with dense attention", [.. rows.Select(r => (r.Name, r.Top1))], 0.8));
    }

    private static string Shown(double? value) => value is { } known ? known.ToString("F4", CultureInfo.InvariantCulture) : "–";
}
