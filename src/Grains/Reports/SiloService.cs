using LServe.Contracts;
using LServe.Sessions;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace LServe.Grains;

/// <summary>Answers other silos' questions about this one.</summary>
internal sealed class SiloService(GrainId id, Silo silo, ILoggerFactory logging, SiloReporter reporter, ActiveSessions active, SessionEnvironment environment)
    : GrainService(id, silo, logging), ISiloService
{
    public async Task<byte[]> ReportAsync() => ReportJson.Write(await reporter.ReadAsync(active.Count));

    public async Task<bool> HoldsAsync(string session)
    {
        try
        {
            return await environment.Store.LoadAsync(SessionKey.Parse(session)) is not null;
        }
        catch (SessionStoreException)
        {
            // Damaged is there all the same: its owner is to be told, not to begin anew elsewhere.
            return true;
        }
    }
}
