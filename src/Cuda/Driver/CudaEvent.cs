using static LServe.Cuda.Driver.CudaApi;

namespace LServe.Cuda.Driver;

/// <summary>A point in a stream, to wait for and to measure from.</summary>
public sealed class CudaEvent : CudaHandle
{
    private const int NotReady = 600;
    private const uint WithoutTiming = 2;

    private CudaEvent(nint handle) : base(handle)
    {
    }

    public static CudaEvent Create(bool timing = false)
    {
        Check(cuEventCreate(out var handle, timing ? 0 : WithoutTiming));
        return new(handle);
    }

    public void Record(CudaStream stream) => Check(cuEventRecord(Value, stream.Value));

    public void Synchronize() => Check(cuEventSynchronize(Value));

    /// <summary>Whether everything before it has ended.</summary>
    public bool Reached
    {
        get
        {
            var code = cuEventQuery(Value);
            if (code != NotReady) Check(code, nameof(cuEventQuery));
            return code == 0;
        }
    }

    /// <summary>Milliseconds from this event to <paramref name="end"/>; both were made with timing and have been reached.</summary>
    public float MillisecondsTo(CudaEvent end)
    {
        Check(cuEventElapsedTime(out var milliseconds, Value, end.Value));
        return milliseconds;
    }

    protected override bool ReleaseHandle() => cuEventDestroy_v2(handle) == 0;
}
