using System.Net;
using System.Net.Sockets;

namespace LServe.Tests.EndToEnd;

/// <summary>Passes connections on to a server, and cuts the first ones after some bytes of their answers.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Uri _server;
    private readonly Queue<int> _cuts;
    private readonly Task _accepting;

    /// <param name="cuts">Bytes after which the connections in turn are cut; those that come later are not.</param>
    public CuttingProxy(Uri server, params int[] cuts)
    {
        (_server, _cuts) = (server, new(cuts));
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    /// <summary>Connections that were cut.</summary>
    public int Cut { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptTcpClientAsync(_stopping.Token);
            _ = PassAsync(client, _cuts.TryDequeue(out var bytes) ? bytes : int.MaxValue);
        }
    }

    private async Task PassAsync(TcpClient client, int bytes)
    {
        using (client)
        using (var server = new TcpClient())
        {
            await server.ConnectAsync(_server.Host, _server.Port);
            var asking = client.GetStream().CopyToAsync(server.GetStream(), _stopping.Token);
            var buffer = new byte[4096];
            while (bytes > 0 && await server.GetStream().ReadAsync(buffer.AsMemory(0, Math.Min(buffer.Length, bytes)), _stopping.Token) is var read and > 0)
            {
                await client.GetStream().WriteAsync(buffer.AsMemory(0, read), _stopping.Token);
                bytes -= read;
            }
            if (bytes == 0) Cut++;
            // As a cable that is pulled out, not as somebody who hangs up.
            (client.LingerState, server.LingerState) = (new(true, 0), new(true, 0));
        }
    }
}
