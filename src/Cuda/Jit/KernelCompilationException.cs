namespace LServe.Cuda.Jit;

/// <summary>A kernel didn't compile.</summary>
/// <param name="log">What the compiler printed.</param>
public sealed class KernelCompilationException(string message, string log) : Exception(log.Length == 0 ? message : $"{message}\n{log}")
{
    public string Log { get; } = log;
}
