namespace LServe.Cuda.Jit;

/// <summary>One source file with one set of macros: what is compiled, cached and loaded as a unit.</summary>
/// <param name="File">Path under <c>kernels/</c>, such as <c>pointwise/rms_norm.cu</c>.</param>
/// <param name="Defines">Macros as <c>NAME=value</c>, in a fixed order.</param>
public sealed record KernelVariant(string File, params string[] Defines)
{
    public override string ToString() => Defines.Length == 0 ? File : $"{File} [{string.Join(' ', Defines)}]";
}
