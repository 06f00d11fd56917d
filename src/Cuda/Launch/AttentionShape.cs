namespace LServe.Cuda.Launch;

/// <summary>What attention kernels are compiled for.</summary>
/// <param name="Group">Query heads of a KV head, 1 … 8.</param>
internal readonly record struct AttentionShape(KvPageLayout Layout, int Group)
{
    private const int MostGroup = 8;

    /// <summary>Shapes of published Llama-like models; others compile when a model needs them.</summary>
    public static IReadOnlyList<AttentionShape> Served { get; } =
    [
        .. Enum.GetValues<KvFormat>().Select(format => new AttentionShape(new(128, format), 4)),
        .. Enum.GetValues<KvFormat>().Select(format => new AttentionShape(new(64, format), 3)),
        new(new(128, KvFormat.K8V4), 8), new(new(128, KvFormat.Int8), 1), new(new(96, KvFormat.K8V4), 1), new(new(80, KvFormat.Int4), 2), new(new(256, KvFormat.K8V4), 2),
    ];

    public string[] Defines => Group is >= 1 and <= MostGroup
        ? [.. Layout.Defines, $"GROUP={Group}"]
        : throw new NotSupportedException($"{Group} query heads for a KV head: the attention kernels take 1 to {MostGroup}. Use --backend cpu.");
}
