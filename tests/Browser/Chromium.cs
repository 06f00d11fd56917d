using LServe.Tests.EndToEnd;
using LServe.Tests.Support;
using Microsoft.Playwright;

namespace LServe.Tests.Browser;

/// <summary>
/// A headless browser beside a server that writes slowly enough to be watched and stopped. Each test opens a page with a storage of
/// its own.
/// </summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string[] s_arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ];

    private static readonly TinyModelOptions s_slowModel = new() { HiddenSize = 256, FeedForwardSize = 512, Layers = 4 };

    private readonly TemporaryFile _model = new(TinyModel.Bytes(s_slowModel));
    private ServerProcess? _server;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public HttpClient Http => _server!.Http;

    public async Task InitializeAsync()
    {
        if (!File.Exists(ChromiumFactAttribute.Executable))
            return;
        _server = await ServerProcess.StartAsync("--model", _model.Path, "--threads", "1", "--backend", "reference");
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = ChromiumFactAttribute.Executable, Args = s_arguments });
    }

    /// <summary>The chat page, connected to its server.</summary>
    /// <param name="problems">Gets what the browser complains of.</param>
    public async Task<IPage> OpenAsync(List<string> problems, Uri? address = null)
    {
        var page = await _browser!.NewPageAsync();
        page.PageError += (_, error) => problems.Add(error);
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
                problems.Add(message.Text);
        };
        await page.GotoAsync((address ?? _server!.Address).ToString());
        await page.GetByText("·").First.WaitForAsync();
        return page;
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
        _model.Dispose();
    }
}
