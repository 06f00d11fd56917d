using LServe.Cuda.Jit;

namespace LServe.Tests.Kernels.Cuda;

public sealed class KernelCacheTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lserve-kernels-").FullName;

    [Fact]
    public void KeepsWhatWasWritten()
    {
        var cache = new KernelCache(_folder);
        Assert.Null(cache.TryRead("a"));
        cache.Write("a", [1, 2, 3]);
        Assert.Equal<byte[]>([1, 2, 3], cache.TryRead("a")!);
    }

    [Fact]
    public void ForgetsTheLongestUnusedPastItsBound()
    {
        var cache = new KernelCache(_folder);
        for (var i = 0; i < KernelCache.MaxFiles; i++)
        {
            var path = Path.Combine(_folder, $"{i}.cubin");
            File.WriteAllBytes(path, [1]);
            File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch.AddDays(i + 1));
        }
        Assert.NotNull(cache.TryRead("0"));
        cache.Write("new", [1]);
        Assert.NotNull(cache.TryRead("0"));
        Assert.Null(cache.TryRead("1"));
        Assert.Equal(KernelCache.MaxFiles, Directory.GetFiles(_folder).Length);
    }

    [Fact]
    public void AFolderThatCannotBeWrittenIsNoError()
    {
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        var cache = new KernelCache(Path.Combine(file, "below"));
        cache.Write("a", [1]);
        Assert.Null(cache.TryRead("a"));
    }

    [NvrtcFact]
    public void TheSecondCompilationComesFromTheCache()
    {
        var compiler = new KernelCompiler(KernelSources.Embedded, ComputeArchitecture.Least, new(_folder));
        var variant = new KernelVariant("pointwise/rms_norm.cu");
        var first = compiler.Compile(variant);
        var file = Assert.Single(Directory.GetFiles(_folder));
        File.WriteAllBytes(file, [7]);
        Assert.Equal<byte[]>([7], compiler.Compile(variant));
        Assert.NotEqual<byte[]>([7], first);
        compiler.Compile(variant with { Defines = ["OTHER=1"] });
        Assert.Equal(2, Directory.GetFiles(_folder).Length);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
