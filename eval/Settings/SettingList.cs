using LServe.Inference;

namespace LServe.Eval;

/// <summary>The rows there are: the default, the paper's recipe, and one factor at a time around the default.</summary>
internal static class SettingList
{
    public const string DenseName = "dense", DefaultName = "default";

    private static readonly LServeOptions Options = new();

    public static Setting Dense { get; } = new(DenseName, KvPrecision.F16, null);

    public static IReadOnlyList<Setting> All { get; } =
    [
        Dense,
        new(DefaultName, KvPrecision.Int8, Options),
        new("paper", KvPrecision.Int8, Options with { Policy = SelectionPolicy.Quest, Renewal = 4, Local = 256 }) { Centred = false },
        .. Policies("policy", KvPrecision.Int8, Options, 0.5),
        .. Policies("f16-all-retrieval", KvPrecision.F16, Options with { Renewal = 1 }, 0),
        .. new[] { 256, 512, 2048, 4096 }.Select(budget => new Setting($"budget-{budget}", KvPrecision.Int8, Options with { Budget = budget })),
        new("kv-f16", KvPrecision.F16, Options),
        new("kv-k8v4", KvPrecision.K8V4, Options),
        new("kv-int4", KvPrecision.Int4, Options),
        new("kv-int8-uncentred", KvPrecision.Int8, Options) { Centred = false },
        new("dense-int8", KvPrecision.Int8, null),
        new("dense-k8v4", KvPrecision.K8V4, null),
        new("dense-int4", KvPrecision.Int4, null),
        .. new[] { 1, 2, 4, 16 }.Select(renewal => new Setting($"renewal-{renewal}", KvPrecision.Int8, Options with { Renewal = renewal })),
        .. new[] { 2, 4, 6 }.Select(factor => new Setting($"candidates-{factor}", KvPrecision.Int8, Options with { Candidates = factor })),
        .. new[] { 0, 0.25, 0.75 }.Select(share => new Setting($"share-{Percent(share)}", KvPrecision.Int8, Options) { Share = share }),
        .. new[] { 128, 256, 512 }.Select(local => new Setting($"local-{local}", KvPrecision.Int8, Options with { Local = local })),
        .. new[] { 2, 3 }.Select(bits => new Setting($"sketch-{bits}", KvPrecision.Int8, Options with { SketchBits = bits })),
    ];

    /// <exception cref="ArgumentException">There is no such row; lists those there are.</exception>
    public static IReadOnlyList<Setting> Named(IEnumerable<string> names) => [.. names.Select(Named)];

    private static Setting Named(string name) =>
        All.FirstOrDefault(s => s.Name == name) ?? throw new ArgumentException($"There is no row {name}; there are: {string.Join(", ", All.Select(s => s.Name))}.");

    /// <summary>All policies but the default's own, which at half streaming is the row <c>default</c>.</summary>
    private static IEnumerable<Setting> Policies(string prefix, KvPrecision kv, LServeOptions options, double share) =>
        Enum.GetValues<SelectionPolicy>().Where(policy => share == 0 ? policy != SelectionPolicy.All : policy != options.Policy)
            .Select(policy => new Setting($"{prefix}-{Hyphenated(policy)}", kv, options with { Policy = policy }) { Share = share });

    private static string Hyphenated(SelectionPolicy policy) => policy == SelectionPolicy.TwoStage ? "two-stage" : policy.ToString().ToLowerInvariant();

    private static int Percent(double share) => (int)Math.Round(100 * share);
}
