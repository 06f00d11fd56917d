using LServe.Cuda.Driver;

namespace LServe.Cuda;

/// <summary>Waits for steps, and knows when waiting has become pointless: after a step that hung, and after an error of a launch, which takes the whole context along.</summary>
/// <param name="limit">After which a step counts as hung.</param>
internal sealed class StepWatch(CudaStream stream, TimeSpan limit)
{
    private bool _hung;

    /// <exception cref="TimeoutException">The step hung.</exception>
    /// <exception cref="CudaException">The step failed.</exception>
    public void Synchronize()
    {
        try
        {
            stream.Synchronize(limit);
        }
        catch (TimeoutException)
        {
            _hung = true;
            throw;
        }
    }

    public bool IsUsable
    {
        get
        {
            if (_hung) return false;
            try
            {
                _ = stream.Ended;
                return true;
            }
            catch (CudaException)
            {
                return false;
            }
        }
    }
}
