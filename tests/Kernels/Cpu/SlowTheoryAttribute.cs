namespace LServe.Tests.Kernels.Cpu;

/// <summary>Runs only when asked for: <c>-e LSERVE_SLOW_TESTS=1</c>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SlowTheoryAttribute : TheoryAttribute
{
    public SlowTheoryAttribute()
    {
        if (Environment.GetEnvironmentVariable("LSERVE_SLOW_TESTS") != "1") Skip = "takes minutes; set LSERVE_SLOW_TESTS=1 to run it";
    }
}
