using LServe.Cuda.Driver;
using LServe.Cuda.Jit;
using LServe.Cuda.Launch;

namespace LServe.Bench.Kernels;

/// <summary>The device under measurement, and the kernels that only measurements need.</summary>
internal sealed class Device : IDisposable
{
    private readonly CudaModule _memory;
    private readonly CudaKernel _fill, _read;
    private readonly DeviceMemory _sink;
    private uint _seed = 1;

    /// <param name="kernels">What is measured: embedded, or a folder to compare with.</param>
    public Device(KernelSources kernels)
    {
        Context = CudaContext.Open();
        var compiler = new KernelCompiler(kernels, Context.Architecture);
        Library = new(Context, compiler);
        Stream = CudaStream.Create();
        using var reader = new StreamReader(typeof(Device).Assembly.GetManifestResourceStream("memory.cu")!);
        _memory = CudaModule.Load(compiler.CompileSource(reader.ReadToEnd(), "memory.cu", []));
        (_fill, _read) = (_memory.Kernel("fill"), _memory.Kernel("read_all"));
        _sink = DeviceMemory.Allocate(4);
        Timer = new(Stream);
    }

    public CudaContext Context { get; }
    public KernelLibrary Library { get; }
    public CudaStream Stream { get; }
    public GraphTimer Timer { get; }

    private record struct FillParams(ulong To, ulong Bytes, uint Seed, uint Unit, uint Codes, uint Unused);

    private record struct ReadParams(ulong From, ulong Count, ulong Sink);

    /// <summary>Device memory full of random binary16 numbers of ordinary size.</summary>
    public DeviceMemory RandomHalves(long count) => Fill(DeviceMemory.Allocate(count * 2), 0, 0);

    /// <summary>Random weights; nothing is zero, scales are of ordinary size.</summary>
    public PackedMatrix RandomWeights(WeightFormat format, int rows, int columns)
    {
        var codes = format switch { WeightFormat.F16 => 0, WeightFormat.Int4 => 1024, WeightFormat.Q4_0 or WeightFormat.Q4_1 => 256, _ => 512 };
        var data = Fill(DeviceMemory.Allocate(format.Bytes(rows, columns)), codes == 0 ? 0 : format.UnitBytes(), codes);
        if (format != WeightFormat.Int8) return new(format, rows, columns, data, null, null);
        var scale = DeviceMemory.Allocate(rows * 4L);
        scale.Upload<float>(Enumerable.Range(0, rows).Select(i => 0.01f + i % 7 * 0.001f).ToArray());
        return new(format, rows, columns, data, null, scale);
    }

    /// <summary>A kernel that does nothing but read the range.</summary>
    public void Read(ulong address, long bytes) =>
        _read.Launch(Stream, new(Context.Multiprocessors * 4, 512, OverlapPrevious: true), new ReadParams(address, (ulong)bytes / 16, _sink.Address));

    /// <summary>Fills memory with random binary16 numbers of ordinary size.</summary>
    public void FillHalves(DeviceMemory memory) => Fill(memory, 0, 0);

    private DeviceMemory Fill(DeviceMemory memory, int unit, int codes)
    {
        _fill.Launch(Stream, new(Context.Multiprocessors * 8, 256), new FillParams(memory.Address, (ulong)memory.Bytes, _seed++, (uint)unit, (uint)codes, 0));
        return memory;
    }

    public void Dispose()
    {
        Timer.Dispose();
        _sink.Dispose();
        _memory.Dispose();
        Library.Dispose();
        Stream.Dispose();
        Context.Dispose();
    }
}
