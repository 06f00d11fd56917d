using LServe.Cuda.Driver;

namespace LServe.Bench.Kernels;

/// <summary>Cold reads of several sizes: the floors of everything that streams weights or KV pages.</summary>
internal sealed class MemoryBench(Device device, Report report)
{
    private const long PoolBytes = 1L << 30;

    public void Run()
    {
        using var pool = device.RandomHalves(PoolBytes / 2);
        foreach (var megabytes in new[] { 1, 2, 4, 8, 16, 32, 256 })
        {
            var bytes = (long)megabytes << 20;
            var time = device.Timer.Time((int)(PoolBytes / bytes), i => device.Read(pool.Address + (ulong)(i * bytes), bytes));
            report.Add(new Row("read", $"{megabytes} MB cold", time.Microseconds, time.Spread, bytes, 0, time.Microseconds, 1));
        }
    }
}
