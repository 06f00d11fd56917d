using LServe.Cuda.Jit;

namespace LServe.Tests.Kernels.Cuda;

public class CompilationTests
{
    [NvrtcFact]
    public void EveryVariantCompilesForHopper()
    {
        var compiler = new KernelCompiler(KernelSources.Embedded, ComputeArchitecture.Least);
        Parallel.ForEach(Nvrtc.AllVariants, variant => Assert.True(compiler.Compile(variant).AsSpan().StartsWith("\u007fELF"u8), variant.ToString()));
    }

    [Fact]
    public void EverySourceHasALauncher() =>
        Assert.Equal(KernelSources.Embedded.Kernels, Nvrtc.AllVariants.Select(v => v.File).Distinct().Order(StringComparer.Ordinal));

    [NvrtcFact]
    public void AWrongSourceShowsTheCompilersWords()
    {
        var compiler = new KernelCompiler(KernelSources.Embedded, ComputeArchitecture.Least);
        var error = Assert.Throws<KernelCompilationException>(() => compiler.CompileSource("__global__ void f() { undeclared(); }", "wrong.cu", []));
        Assert.Contains("undeclared", error.Log, StringComparison.Ordinal);
        Assert.Contains("wrong.cu", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnUnknownSourceIsNamed() =>
        Assert.Equal("no/such.cu", Assert.Throws<FileNotFoundException>(() => KernelSources.Embedded["no/such.cu"]).FileName);
}
