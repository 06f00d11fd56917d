using System.Globalization;

namespace LServe.Inference;

/// <summary>What the KV cache takes, page by page, before anything is allocated.</summary>
public sealed record MemoryPlan(KvGeometry Geometry)
{
    private const double MiB = 1 << 20;

    /// <summary>Tokens of dense conversations, or of retrieval heads, that all conversations share.</summary>
    public long Tokens => (long)Geometry.Pages * KvGeometry.PageTokens;

    /// <exception cref="ArgumentException">It doesn't fit; says what is there and what is asked for.</exception>
    public void CheckFits(long bytes)
    {
        if (Geometry.TotalBytes > bytes)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"kv-tokens is {Tokens}; {this}. There are {bytes / MiB:F0} MiB. Ask for fewer tokens, a shorter --context, or fewer bits with --kv."));
    }

    public override string ToString()
    {
        var retrieval = string.Create(CultureInfo.InvariantCulture,
            $"KV cache: {Geometry.TotalBytes / MiB:F0} MiB for {Tokens} tokens in {Geometry.Precision.ToString().ToLowerInvariant()}: {Geometry.Pages} pages of {Geometry.PageBytes / MiB:F2} MiB");
        return Geometry.Heads.AnyStreams
            ? string.Create(CultureInfo.InvariantCulture,
                $"{retrieval} for heads that retrieve, {Geometry.StreamingPages} of {Geometry.PageBytesOf(KvPool.Streaming) / MiB:F2} MiB for those that stream ({Geometry.WindowPages} a conversation)")
            : retrieval;
    }
}
