using LServe.Cuda.Launch;
using LServe.Inference;

namespace LServe.Cuda.Attention;

/// <summary>What the attention kernels can be asked for; everything else is refused at the start.</summary>
internal static class AttentionSupport
{
    public const int ChannelBlock = 64;

    private const int MaxHeadDim = 256, HeadDimUnit = 16;

    /// <exception cref="NotSupportedException">Names what can't be had on a GPU, and what can.</exception>
    public static AttentionShape ShapeOf(KvGeometry geometry)
    {
        if (geometry.ChannelBlock != ChannelBlock)
            throw new ArgumentException($"GPU pages store channels in blocks of {ChannelBlock}, not {geometry.ChannelBlock}.", nameof(geometry));
        if (geometry.HeadDim > MaxHeadDim || geometry.HeadDim % HeadDimUnit != 0)
            throw new NotSupportedException($"heads of {geometry.HeadDim} channels: the attention kernels take multiples of {HeadDimUnit} up to {MaxHeadDim}. Use --backend cpu.");
        var shape = new AttentionShape(new(geometry.HeadDim, FormatOf(geometry.Precision)), geometry.GroupSize);
        _ = shape.Defines;
        if (geometry.LServe is { } options) Check(options, geometry.Precision);
        return shape;
    }

    private static KvFormat FormatOf(KvPrecision precision) => precision switch
    {
        KvPrecision.F16 => KvFormat.F16,
        KvPrecision.Int8 => KvFormat.Int8,
        KvPrecision.K8V4 => KvFormat.K8V4,
        KvPrecision.Int4 => KvFormat.Int4,
        _ => throw new NotSupportedException($"a GPU keeps keys and values as f16, int8, k8v4 or int4, not {precision}. Choose one of these with --kv, or --backend cpu."),
    };

    private static void Check(LServeOptions options, KvPrecision precision)
    {
        if (options.Policy == SelectionPolicy.Oracle)
            throw new NotSupportedException("the oracle policy is for evaluation on the CPU. Use --backend cpu.");
        if (options.Policy == SelectionPolicy.TwoStage && precision.IsQuantised() && options.SketchBits is not (2 or 4))
            throw new NotSupportedException($"--sketch-bits {options.SketchBits}: on a GPU the second stage reads 2 or 4 bits.");
    }
}
