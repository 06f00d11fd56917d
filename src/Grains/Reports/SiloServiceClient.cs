using Orleans.Runtime;
using Orleans.Runtime.Services;
using Orleans.Services;

namespace LServe.Grains;

internal interface ISiloServiceClient : IGrainServiceClient<ISiloService>
{
    ISiloService At(SiloAddress silo);
}

/// <summary>Reaches the <see cref="SiloService"/> of any silo.</summary>
internal sealed class SiloServiceClient(IServiceProvider services) : GrainServiceClient<ISiloService>(services), ISiloServiceClient
{
    public ISiloService At(SiloAddress silo) => GetGrainService(silo);
}
