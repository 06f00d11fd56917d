using LServe.Inference;

namespace LServe.Cpu;

/// <summary>Which tokens a row sees.</summary>
internal static class ReferenceSight
{
    /// <summary>Ascending tokens that the row at <paramref name="position"/> of a slice sees by a KV head.</summary>
    /// <param name="chosen">Pages chosen for the row's block, or null.</param>
    public static int[] Tokens(in StepSlice slice, HeadPlace place, LServeOptions? options, int[]? chosen, int position)
    {
        var all = Enumerable.Range(0, position + 1);
        if (slice.Selection is null) return [.. all];
        // Exact to the token (LServe, section 3.2).
        if (place.Streams) return [.. all.Where(token => token < options!.Sink || token > position - options.Local)];
        if (chosen is null) return [.. all];
        // A prompt's rows see every token after the pages that were complete before their block.
        var past = slice.Kind == SliceKind.Decode
            ? position + 1
            : ReferenceChoices.BlockStart(slice, ReferenceChoices.BlockOf(slice, position)) / KvGeometry.PageTokens * KvGeometry.PageTokens;
        return [.. chosen.SelectMany(page => ReferenceHead.TokensOf(page, position + 1)), .. all.Skip(past)];
    }
}
