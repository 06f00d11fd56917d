using LServe.Cuda.Driver;
using LServe.Cuda.Launch;

namespace LServe.Bench.Kernels;

/// <summary>Attention of whole prompts at Llama-3-8B's shape: dense, streaming heads, page lists. The floor is arithmetic at <see cref="FlopsPerSecond"/>.</summary>
internal sealed class PrefillBench(Device device, Report report)
{
    private const double FlopsPerSecond = 766e12;
    private const int QueryHeads = 32, KvHeads = 8, HeadDim = 128, Sink = 128;

    public void Run()
    {
        foreach (var format in Enum.GetValues<KvFormat>())
            foreach (var context in new[] { 8 << 10, 32 << 10 }) One(format, context, KvHeads, local: 256, budget: 0, "dense");
        foreach (var format in new[] { KvFormat.F16, KvFormat.K8V4 })
        {
            One(format, 128 << 10, KvHeads, local: 256, budget: 0, "dense");
            One(format, 128 << 10, KvHeads / 2, local: 8192, budget: 0, "half streaming 8192");
            One(format, 128 << 10, 0, local: 8192, budget: 0, "all streaming 8192");
            One(format, 128 << 10, 0, local: 256, budget: 0, "all streaming 256");
            One(format, 128 << 10, KvHeads / 2, local: 256, budget: 8192, "half streaming 256, budget 8192");
        }
    }

    private void One(KvFormat format, int context, int retrievalHeads, int local, int budget, string name)
    {
        KvPageLayout layout = new(HeadDim, format);
        var pages = context / KvPageLayout.PageTokens;
        var streamingWidth = Sink / KvPageLayout.PageTokens + pages;
        List<DeviceMemory> memory = [];
        ulong Keep(DeviceMemory m) { memory.Add(m); return m.Address; }
        ulong Upload<T>(T[] values) where T : unmanaged
        {
            var m = DeviceMemory.Allocate(Math.Max(1, values.Length) * (long)System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
            m.Upload<T>(values);
            return Keep(m);
        }
        try
        {
            List<PrefillBlock> blocks = [];
            List<int> lists = [], counts = [];
            var random = new Random(1);
            var width = Math.Max(1, budget / KvPageLayout.PageTokens);
            AttentionPrefill.AddBlocks(blocks, 0, context, 0, 0, position => budget > 0 && position > budget ? AddList(position / KvPageLayout.PageTokens) : -1);
            var parameters = new AttentionPrefillParams
            {
                Kv = new()
                {
                    Retrieval = Keep(device.RandomHalves(Math.Max(1, (long)pages * retrievalHeads * layout.RetrievalBytes / 2))),
                    Streaming = Keep(device.RandomHalves(Math.Max(1, (long)streamingWidth * (KvHeads - retrievalHeads) * layout.StreamingBytes / 2))),
                    RetrievalStride = (ulong)(retrievalHeads * layout.RetrievalBytes), StreamingStride = (ulong)((KvHeads - retrievalHeads) * layout.StreamingBytes),
                    Heads = Upload(Enumerable.Range(0, KvHeads).ToArray()), RetrievalTable = Upload(Shuffled(pages)), StreamingTable = Upload(Shuffled(streamingWidth)),
                    RetrievalWidth = pages, StreamingWidth = streamingWidth, KvHeads = KvHeads, RetrievalHeads = retrievalHeads, Sink = Sink, Local = local,
                    RetrievalBytes = layout.RetrievalBytes, StateHeads = retrievalHeads,
                },
                Queries = Keep(device.RandomHalves(2L * context * QueryHeads * HeadDim)), Output = Keep(DeviceMemory.Allocate(2L * context * QueryHeads * HeadDim)),
                Blocks = Upload(AttentionPrefill.InOrder(blocks)), List = Upload(lists.ToArray()), ListCount = Upload(counts.ToArray()),
                QueryStride = QueryHeads * HeadDim, OutputStride = QueryHeads * HeadDim, BlockCount = blocks.Count, ListWidth = width,
            };
            var kernel = new AttentionPrefill(device.Library, new(layout, QueryHeads / KvHeads));
            var time = device.Timer.Time(1, _ => kernel.Launch(device.Stream, parameters));
            var flops = 4.0 * HeadDim * QueryHeads / KvHeads * Enumerable.Range(0, KvHeads).Sum(place => SeenPairs(place < retrievalHeads, context, local, budget));
            var floor = flops / FlopsPerSecond * 1e6;
            report.Add(new Row("attention/prefill", $"{format} {context >> 10}K {name}", time.Microseconds, time.Spread, 0, flops, floor, time.Microseconds / floor));

            int AddList(int past)
            {
                for (var place = 0; place < retrievalHeads; place++)
                {
                    var chosen = Enumerable.Range(0, past).OrderBy(_ => random.Next()).Take(width).Order().ToArray();
                    lists.AddRange(chosen);
                    lists.AddRange(new int[width - chosen.Length]);
                    counts.Add(chosen.Length);
                }
                return counts.Count / retrievalHeads - 1;
            }
        }
        finally
        {
            foreach (var m in memory) m.Dispose();
        }
    }

    /// <summary>(row, token) pairs that one head's rows see.</summary>
    private static double SeenPairs(bool retrieval, int context, int local, int budget)
    {
        double pairs = 0;
        for (var row = 0; row < context; row++)
        {
            var block = row / AttentionPrefill.BlockRows * AttentionPrefill.BlockRows;
            pairs += !retrieval ? Math.Min(row + 1, Sink + local) : budget > 0 && block > budget ? budget + row - block + 1 : row + 1;
        }
        return pairs;
    }

    private static int[] Shuffled(int count)
    {
        var pages = Enumerable.Range(0, count).ToArray();
        new Random(1).Shuffle(pages);
        return pages;
    }
}
