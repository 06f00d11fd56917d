using LServe.Inference;

namespace LServe.Cpu;

/// <summary>x = table[token]. A unit is a row.</summary>
internal sealed class EmbedWork : ParallelWork
{
    private StepPlan _plan = null!;
    private SimdMatrix _table = null!;
    private HostBuffer _x = null!;

    public void Run(WorkerPool pool, StepPlan plan, SimdMatrix table, HostBuffer x)
    {
        (_plan, _table, _x) = (plan, table, x);
        if (plan.Rows >= SimdKernels.RowsWorthSharing) pool.Run(this, plan.Rows);
        else
            for (var row = 0; row < plan.Rows; row++) Execute(row, 0);
    }

    public override void Execute(int unit, int thread) => _table.ReadRow(_plan.Tokens[unit], _x.Values(unit));
}
