using Microsoft.Win32.SafeHandles;

namespace LServe.Cuda.Driver;

/// <summary>
/// A driver object that is released once. Its owner disposes of it on a thread where its context is current; the finalizer is the last resort,
/// and whatever fails there is lost with the context.
/// </summary>
public abstract class CudaHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private protected CudaHandle(nint handle) : base(ownsHandle: true) => SetHandle(handle);

    /// <summary>The driver's own handle, valid while this object lives.</summary>
    internal nint Value => IsClosed ? throw new ObjectDisposedException(GetType().Name) : handle;
}
