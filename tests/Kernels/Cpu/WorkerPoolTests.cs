using LServe.Cpu;

namespace LServe.Tests.Kernels.Cpu;

public sealed class WorkerPoolTests
{
    private sealed class Counting(int units) : ParallelWork
    {
        public readonly int[] Runs = new int[units];
        public int Failing = -1;

        public override void Execute(int unit, int thread)
        {
            Interlocked.Increment(ref Runs[unit]);
            if (unit == Failing) throw new InvalidOperationException($"unit {unit}");
        }
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(9)]
    public void Every_unit_runs_once_per_dispatch(int threads)
    {
        using var pool = new WorkerPool(threads);
        var work = new Counting(37);
        const int dispatches = 2_000;
        for (var i = 0; i < dispatches; i++) pool.Run(work, 1 + i % 37);
        for (var unit = 0; unit < 37; unit++) Assert.Equal(Enumerable.Range(0, dispatches).Count(i => unit < 1 + i % 37), work.Runs[unit]);
    }

    [Theory, InlineData(1), InlineData(4)]
    public void What_a_unit_throws_reaches_the_caller_and_the_pool_works_on(int threads)
    {
        using var pool = new WorkerPool(threads);
        var work = new Counting(20) { Failing = 13 };
        Assert.Equal("unit 13", Assert.Throws<InvalidOperationException>(() => pool.Run(work, 20)).Message);
        var next = new Counting(20);
        pool.Run(next, 20);
        Assert.All(next.Runs, runs => Assert.Equal(1, runs));
    }

    [Fact]
    public void Parked_workers_wake_up()
    {
        using var pool = new WorkerPool(3);
        for (var round = 0; round < 5; round++)
        {
            var work = new Counting(3);
            pool.Run(work, 3);
            Assert.All(work.Runs, runs => Assert.Equal(1, runs));
            Assert.True(SpinWait.SpinUntil(() => pool.Parked == 2, TimeSpan.FromSeconds(30)), "idle workers keep spinning");
        }
    }

    [Fact]
    public void No_units_is_no_work()
    {
        using var pool = new WorkerPool(2);
        pool.Run(new Counting(0), 0);
    }

    [Fact]
    public void A_negative_thread_count_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => new WorkerPool(-1));
}
