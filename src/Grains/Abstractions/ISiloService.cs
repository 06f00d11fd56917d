using Orleans.Services;

namespace LServe.Grains;

/// <summary>What each silo tells the others of itself.</summary>
[Alias("lserve.ISiloService")]
public interface ISiloService : IGrainService
{
    /// <summary>What the silo is doing: a report as JSON, in which readers ignore what they don't know.</summary>
    [Alias("ReportAsync")]
    Task<byte[]> ReportAsync();

    /// <summary>Whether this silo's stores have the session.</summary>
    [Alias("HoldsAsync")]
    Task<bool> HoldsAsync(string session);
}
