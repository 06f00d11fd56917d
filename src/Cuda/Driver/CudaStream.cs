using System.Diagnostics;
using static LServe.Cuda.Driver.CudaApi;

namespace LServe.Cuda.Driver;

/// <summary>Work of a device in order.</summary>
public sealed unsafe class CudaStream : CudaHandle
{
    private const uint NonBlocking = 1;
    private const int CaptureThreadLocal = 1, NotReady = 600;

    private CudaStream(nint handle) : base(handle)
    {
    }

    public static CudaStream Create()
    {
        Check(cuStreamCreate(out var handle, NonBlocking));
        return new(handle);
    }

    public void Synchronize() => Check(cuStreamSynchronize(Value));

    /// <exception cref="TimeoutException">What was issued didn't end within <paramref name="limit"/>; it may never do.</exception>
    public void Synchronize(TimeSpan limit)
    {
        var begin = Stopwatch.GetTimestamp();
        var wait = new SpinWait();
        while (!Ended)
        {
            if (Stopwatch.GetElapsedTime(begin) > limit) throw new TimeoutException($"The GPU didn't end its work within {limit.TotalSeconds:0.#} s.");
            wait.SpinOnce(sleep1Threshold: -1);
        }
    }

    /// <summary>Whether everything issued has ended.</summary>
    /// <exception cref="CudaException">It failed, now or earlier.</exception>
    public bool Ended
    {
        get
        {
            var code = cuStreamQuery(Value);
            if (code != NotReady) Check(code, nameof(cuStreamQuery));
            return code == 0;
        }
    }

    public void Wait(CudaEvent @event) => Check(cuStreamWaitEvent(Value, @event.Value, 0));

    /// <summary>Copies from pinned memory; both stay untouched until the copy has ended.</summary>
    public void Upload(DeviceMemory to, long toOffset, PinnedMemory from, long fromOffset, long bytes) =>
        Check(cuMemcpyHtoDAsync_v2(to.Address + (ulong)toOffset, from.Address + fromOffset, to.Ranged(bytes, toOffset), Value));

    /// <summary>Copies to pinned memory; both stay untouched until the copy has ended.</summary>
    public void Download(PinnedMemory to, long toOffset, DeviceMemory from, long fromOffset, long bytes) =>
        Check(cuMemcpyDtoHAsync_v2(to.Address + toOffset, from.Address + (ulong)fromOffset, from.Ranged(bytes, fromOffset), Value));

    public void Copy(ulong to, ulong from, long bytes) => Check(cuMemcpyDtoDAsync_v2(to, from, (nuint)bytes, Value));

    /// <summary>From here on, what is issued to this stream is recorded instead of run.</summary>
    public void BeginCapture() => Check(cuStreamBeginCapture_v2(Value, CaptureThreadLocal));

    /// <summary>Ends <see cref="BeginCapture"/>.</summary>
    public CudaGraph EndCapture()
    {
        Check(cuStreamEndCapture(Value, out var graph));
        return CudaGraph.Instantiate(graph);
    }

    /// <summary>Throws away what was recorded.</summary>
    public void AbandonCapture()
    {
        if (cuStreamEndCapture(Value, out var graph) == 0 && graph != 0) _ = cuGraphDestroy(graph);
    }

    /// <summary>Records what <paramref name="work"/> issues to this stream, instead of running it.</summary>
    public CudaGraph Capture(Action work)
    {
        BeginCapture();
        try
        {
            work();
        }
        catch
        {
            AbandonCapture();
            throw;
        }
        return EndCapture();
    }

    protected override bool ReleaseHandle() => cuStreamDestroy_v2(handle) == 0;
}
