using static LServe.Cuda.Driver.CudaApi;

namespace LServe.Cuda.Driver;

/// <summary>Captured work, ready to be launched again and again with the same arguments.</summary>
public sealed unsafe class CudaGraph : CudaHandle
{
    private CudaGraph(nint handle, int nodes) : base(handle) => Nodes = nodes;

    public int Nodes { get; }

    internal static CudaGraph Instantiate(nint graph)
    {
        try
        {
            nuint nodes = 0;
            Check(cuGraphGetNodes(graph, null, ref nodes));
            Check(cuGraphInstantiateWithFlags(out var executable, graph, 0));
            return new(executable, (int)nodes);
        }
        finally
        {
            _ = cuGraphDestroy(graph);
        }
    }

    public void Launch(CudaStream stream) => Check(cuGraphLaunch(Value, stream.Value));

    /// <summary>Moves the graph to the device ahead of its first launch.</summary>
    public void Upload(CudaStream stream) => Check(cuGraphUpload(Value, stream.Value));

    protected override bool ReleaseHandle() => cuGraphExecDestroy(handle) == 0;
}
