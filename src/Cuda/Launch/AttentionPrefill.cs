using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>Launches <c>kernels/attention/attention_prefill.cu</c>: attention of prompt rows, tile by tile, all heads of both kinds.</summary>
internal sealed class AttentionPrefill : IKernelFamily
{
    /// <summary>Rows of a block, whose first position is a multiple of it.</summary>
    public const int BlockRows = 128;

    private const int Threads = 512, Alignment = 1024;
    private readonly CudaKernel _kernel;
    private readonly int _multiprocessors, _sharedBytes, _group;

    public AttentionPrefill(KernelLibrary library, AttentionShape shape)
    {
        (_multiprocessors, _sharedBytes, _group) = (library.Context.Multiprocessors, SharedBytes(shape.Layout.Channels), shape.Group);
        _kernel = library.Kernel(Variant(shape), "attention_prefill", _sharedBytes);
    }

    public static IReadOnlyList<KernelVariant> Variants { get; } = [.. AttentionShape.Served.Select(Variant)];

    /// <summary>Cuts a prompt's rows where positions are multiples of <see cref="BlockRows"/>.</summary>
    /// <param name="list">Line of the page lists that a block at this position reads, or −1.</param>
    /// <param name="dense">Whether streaming heads see everything.</param>
    public static void AddBlocks(List<PrefillBlock> blocks, int firstRow, int count, int position, int sequence, Func<int, int> list, bool dense = false)
    {
        for (var done = 0; done < count;)
        {
            var here = Math.Min(count - done, BlockRows - (position + done) % BlockRows);
            blocks.Add(new(firstRow + done, here, position + done, sequence, list(position + done), dense ? 1 : 0, 0, 0));
            done += here;
        }
    }

    /// <summary>Orders blocks so that those with most work start first.</summary>
    public static PrefillBlock[] InOrder(IEnumerable<PrefillBlock> blocks) => [.. blocks.OrderBy(b => b.List >= 0).ThenByDescending(b => b.Position)];

    public void Launch(CudaStream stream, in AttentionPrefillParams parameters)
    {
        var items = parameters.BlockCount * parameters.Kv.KvHeads * _group;
        if (items == 0) return;
        _kernel.Launch(stream, new(Math.Min(items, _multiprocessors), Threads, SharedBytes: _sharedBytes, OverlapPrevious: true), parameters);
    }

    /// <summary>A ring of pages in binary16, and queries where registers don't hold them; as the kernel says.</summary>
    private static int SharedBytes(int channels)
    {
        var stages = channels switch { 64 => 8, 128 => 4, _ => 2 };
        return Alignment + stages * 2 * KvPageLayout.PageTokens * channels * 2 + (channels > 128 ? BlockRows * channels * 2 : 0);
    }

    public static KernelVariant Variant(AttentionShape shape) => new("attention/attention_prefill.cu", shape.Defines);
}
