using System.Globalization;
using System.Text;

namespace LServe.Eval;

/// <summary>Trials of one row at one length.</summary>
/// <param name="Found">A hexadecimal digit for each trial: the answers that were found.</param>
internal sealed record NeedleRow(string Name, string Setting, NeedleKind Kind, int Length, string Found)
{
    /// <summary>Share of each trial's answers that were found.</summary>
    public double[] Trials => [.. Found.Select(c => (double)Convert.ToInt32(c.ToString(), 16) / Kind.Answers())];
}

/// <summary>Needle trials as a table to read (Markdown), differences to dense with their intervals, and as bars (SVG).</summary>
internal static class NeedleReport
{
    public static void Write(string folder, IReadOnlyList<NeedleRow> rows)
    {
        var text = new StringBuilder("# Needles\n\n");
        text.Append("Something hidden in a long prompt, found when it is in the greedy continuation; of several answers, the share that is. Differences are of the same trials with dense attention, with 95 % of a paired bootstrap. ");
        text.Append("Made by `./lserve eval needles`; what on, and when: [needles.json](needles.json).\n\n![Share found by every row](needles.svg)\n\n");
        text.Append("| task | tokens | row | setting | trials | found | difference to dense, points |\n|---|---|---|---|---|---|---|\n");
        NeedleRow[] ordered = [.. rows.OrderBy(r => r.Kind).ThenBy(r => r.Length)];
        foreach (var row in ordered) text.Append(Line(row, rows.FirstOrDefault(r => r.Kind == row.Kind && r.Length == row.Length && r.Name == SettingList.DenseName)));
        File.WriteAllText(Path.Combine(folder, "needles.md"), text.ToString());
        File.WriteAllText(Path.Combine(folder, "needles.svg"),
            Bars.Draw("share of needles found", [.. ordered.Select(r => ($"{r.Kind}, {r.Length}, {r.Name}", r.Trials.Average()))], 0));
    }

    private static string Line(NeedleRow row, NeedleRow? dense)
    {
        var pairs = Math.Min(row.Found.Length, dense?.Found.Length ?? 0);
        var difference = "";
        if (dense is not null && dense != row && pairs > 0)
        {
            var (mean, lower, upper) = PairedBound.Of(dense.Trials[..pairs], row.Trials[..pairs]);
            difference = string.Create(CultureInfo.InvariantCulture, $"{100 * mean:F1} ({100 * lower:F1} … {100 * upper:F1})");
        }
        return string.Create(CultureInfo.InvariantCulture,
            $"| {row.Kind} | {row.Length} | {row.Name} | {row.Setting} | {row.Found.Length} | {row.Trials.Average():P1} | {difference} |\n");
    }
}
