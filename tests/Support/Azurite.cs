using System.Diagnostics;

namespace LServe.Tests.Support;

/// <summary>Azure Storage's emulator with blobs and tables in memory, as a process of its own on free ports.</summary>
public sealed class Azurite : IAsyncDisposable
{
    /// <summary>The emulator's account and key, the same everywhere (https://learn.microsoft.com/azure/storage/common/storage-use-azurite).</summary>
    private const string Account = "devstoreaccount1", Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private const string Listens = "listening at ";

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    private readonly Process _process;

    private Azurite(Process process, Uri blobs, Uri tables) => (_process, Blobs, Tables) = (process, blobs, tables);

    public Uri Blobs { get; }
    public Uri Tables { get; }

    public string ConnectionString => ConnectionTo(Blobs);

    /// <summary>Why it can't be started here; null: it can.</summary>
    public static string? Missing => File.Exists(Program) ? null : "tests/Support/azurite has no node_modules: run 'npm ci --ignore-scripts' there (Node 20 or newer).";

    private static string Program => Path.Combine(RepositoryFiles.Root, "tests", "Support", "azurite", "node_modules", "azurite", "dist", "src", "azurite.js");

    /// <param name="blobPort">TCP port of the blob service; 0: a free one.</param>
    public static async Task<Azurite> StartAsync(int blobPort = 0)
    {
        // The client library is newer than the emulator, and asks for a later version of the interface.
        var start = new ProcessStartInfo(
            "node", [Program, "--blobPort", $"{blobPort}", "--queuePort", "0", "--tablePort", "0", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        Dictionary<string, Uri> services = [];
        while (services.Count < 3 && await process.StandardOutput.ReadLineAsync().WaitAsync(s_patience) is { } line)
            if (line.IndexOf(Listens, StringComparison.Ordinal) is var at and > 0)
                services[line.Split(' ')[1]] = new(line[(at + Listens.Length)..]);
        if (services.Count < 3) throw new InvalidOperationException("Azurite ended before it listened.");
        // What it says later is read as well: a full pipe would stop it.
        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        return new(process, services["Blob"], services["Table"]);
    }

    /// <summary>The same account at other addresses, such as where nobody listens.</summary>
    public string ConnectionTo(Uri blobs, string key = Key) =>
        $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={key};BlobEndpoint={blobs}{Account};TableEndpoint={Tables}{Account};";

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
